/**
 * Serves a stand-in to the engine. Not by `@pulumi/pulumi/provider`: its server drops the provider's
 * configuration, property-level differences, old inputs and outputs of a preview, all of which the official
 * plugins have and a program may depend on.
 */
import type { ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  CheckRequest,
  type CheckResponse,
  type ConfigureRequest,
  ConfigureResponse,
  type CreateRequest,
  CreateResponse,
  type DeleteRequest,
  type DiffRequest,
  DiffResponse,
  type InvokeRequest,
  type InvokeResponse,
  type ReadRequest,
  ReadResponse,
  type UpdateRequest,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { UserError } from "../../infra/errors";
import { checkResponse, diffResponse, greetings } from "./answers";
import { listen, nameOf, PerConnection, type Served, typeOf, unary } from "./grpc";
import {
  checkInputs,
  difference,
  inputsOf,
  type Kind,
  type Naming,
  planned,
  sealedInputs,
  sealedState,
} from "./kind";
import { type Bag, sameValue, withoutSecrets } from "./values";

/** A provider of our own in place of an official plugin. */
export interface StandIn {
  /** The package, e.g. `random`. */
  readonly name: string;
  /** The version of the npm package whose types the program uses. */
  readonly version: string;
  /** The kinds of one configured provider, by type token, e.g. `random:index/randomId:RandomId`. */
  configure(config: Bag): Readonly<Record<string, Kind>>;
}

/** Listens on loopback, on a port of the system's choice. */
export function serve(standIn: StandIn): Promise<Served> {
  return listen(service(standIn));
}

function service(standIn: StandIn): UntypedServiceImplementation {
  const configured = new PerConnection<Readonly<Record<string, Kind>>>(standIn.name);

  function kindOf(call: { getPeer(): string }, urn: string): Kind {
    const kinds = configured.get(call);
    const type = typeOf(urn);
    const kind = kinds[type];
    if (kind !== undefined) return kind;
    throw new UserError(
      `the ${standIn.name} stand-in has no ${type}; it has ${Object.keys(kinds).sort().join(", ")}`,
      {
        fix: `install the official plugin: pulumi plugin install resource ${standIn.name} ${standIn.version}`,
      },
    );
  }

  return {
    ...greetings(standIn.version),

    diffConfig: unary(async ({ request }: ServerUnaryCall<DiffRequest, DiffResponse>) => {
      const changed = !sameValue(bag(request.getOlds()), bag(request.getNews()), false);
      const { DIFF_SOME, DIFF_NONE } = DiffResponse.DiffChanges;
      return new DiffResponse().setChanges(changed ? DIFF_SOME : DIFF_NONE);
    }),

    configure: unary(async (call: ServerUnaryCall<ConfigureRequest, ConfigureResponse>) => {
      configured.set(call, standIn.configure(bag(call.request.getArgs())));
      // Without acceptSecrets the engine opens secrets for us, and marks outputs whose input was one.
      return new ConfigureResponse().setSupportspreview(true).setSupportsAutonamingConfiguration(true);
    }),

    check: unary(async (call: ServerUnaryCall<CheckRequest, CheckResponse>) => {
      const kind = kindOf(call, call.request.getUrn());
      const { inputs, failures } = checkInputs(
        kind,
        bag(call.request.getOlds()),
        bag(call.request.getNews()),
        naming(call.request),
      );
      return checkResponse(Struct.fromJavaScript(sealedInputs(kind, inputs)), failures);
    }),

    diff: unary(async (call: ServerUnaryCall<DiffRequest, DiffResponse>) => {
      const kind = kindOf(call, call.request.getUrn());
      const { differences, deleteBeforeReplace } = difference(
        kind,
        bag(call.request.getOlds()),
        bag(call.request.getNews()),
        call.request.getIgnorechangesList(),
      );
      return diffResponse(differences).setDeletebeforereplace(deleteBeforeReplace);
    }),

    create: unary(async (call: ServerUnaryCall<CreateRequest, CreateResponse>) => {
      const urn = call.request.getUrn();
      const kind = kindOf(call, urn);
      const inputs = bag(call.request.getProperties());
      if (call.request.getPreview()) {
        return new CreateResponse().setProperties(sealed(kind, planned(kind, inputs)));
      }
      const created = await kind.create(inputs, urn);
      return new CreateResponse().setId(created.id).setProperties(sealed(kind, created.state));
    }),

    read: unary(async (call: ServerUnaryCall<ReadRequest, ReadResponse>) => {
      const kind = kindOf(call, call.request.getUrn());
      const found = await kind.read(call.request.getId(), bag(call.request.getProperties()));
      // No id: the object is gone.
      if (found === undefined) return new ReadResponse();
      const inputs = inputsOf(kind, bag(call.request.getInputs()), found.state);
      return new ReadResponse()
        .setId(found.id)
        .setProperties(sealed(kind, found.state))
        .setInputs(Struct.fromJavaScript(sealedInputs(kind, inputs)));
    }),

    update: unary(async (call: ServerUnaryCall<UpdateRequest, UpdateResponse>) => {
      const kind = kindOf(call, call.request.getUrn());
      const state = bag(call.request.getOlds());
      const inputs = bag(call.request.getNews());
      const updated = call.request.getPreview()
        ? planned(kind, inputs, state)
        : await kind.update(call.request.getId(), state, inputs);
      return new UpdateResponse().setProperties(sealed(kind, updated));
    }),

    delete: unary(async (call: ServerUnaryCall<DeleteRequest, Empty>) => {
      const kind = kindOf(call, call.request.getUrn());
      await kind.delete(call.request.getId(), bag(call.request.getProperties()));
      return new Empty();
    }),

    invoke: unary(async ({ request }: ServerUnaryCall<InvokeRequest, InvokeResponse>) => {
      throw new UserError(`the ${standIn.name} stand-in has no function ${request.getTok()}`, {
        fix: `install the official plugin: pulumi plugin install resource ${standIn.name} ${standIn.version}`,
      });
    }),
  };
}

function bag(struct: Struct | undefined): Bag {
  return withoutSecrets((struct?.toJavaScript() ?? {}) as Bag);
}

function sealed(kind: Kind, state: Bag): Struct {
  return Struct.fromJavaScript(sealedState(kind, state));
}

export function naming(request: CheckRequest): Naming {
  const options = request.getAutonaming();
  const proposed = options?.getProposedName() ?? "";
  return {
    resourceName: nameOf(request.getUrn()),
    seed: request.getRandomseed_asU8(),
    ...(proposed === "" ? {} : { proposed }),
    disabled: options?.getMode() === CheckRequest.AutonamingOptions.Mode.DISABLE,
  };
}
