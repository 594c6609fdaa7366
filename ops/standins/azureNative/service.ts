/**
 * Stand-in for the official `azure-native` plugin that only plans: a preview shows what Azure would be asked for, with
 * no login and no network. Whatever would have to reach Azure is refused: an `up`, a `refresh`, a question.
 */
import type { ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { version } from "@pulumi/azure-native/package.json";
import {
  type CheckRequest,
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
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { UserError } from "../../../infra/errors";
import { checkResponse, greetings, inputDiffResponse } from "../answers";
import { listen, nameOf, PerConnection, type Served, typeOf, unary } from "../grpc";
import { naming } from "../provider";
import type { Bag } from "../values";
import { type ResourceTypes, resourceTypes } from "./packageTypes";
import { checkInputs, outputsOfId, planChange, planCreate, planUpdate } from "./plan";

const installOfficial = `install the official plugin where it can be fetched: pulumi plugin install resource azure-native ${version}`;

export function serveAzureNative(): Promise<Served> {
  return listen(service());
}

function service(): UntypedServiceImplementation {
  const configured = new PerConnection<Bag>("azure-native");

  return {
    ...greetings(version),

    // The official plugin leaves it to the engine, too.
    diffConfig: unary(async () => new DiffResponse()),

    configure: unary(async (call: ServerUnaryCall<ConfigureRequest, ConfigureResponse>) => {
      configured.set(call, bag(call.request.getArgs()));
      // Without acceptSecrets the engine opens secrets for us, and marks outputs whose input was one.
      return new ConfigureResponse().setSupportspreview(true).setSupportsAutonamingConfiguration(true);
    }),

    check: unary(async (call: ServerUnaryCall<CheckRequest, CheckResponse>) => {
      const { request } = call;
      const { inputs, failures } = checkInputs(
        typesOf(request.getUrn()),
        bag(request.getNews()),
        bag(request.getOlds()),
        naming(request),
        configured.get(call).location,
      );
      return checkResponse(Struct.fromJavaScript(inputs), failures);
    }),

    diff: unary(async ({ request }: ServerUnaryCall<DiffRequest, DiffResponse>) => {
      const { differences, deleteBeforeReplace } = planChange(
        typesOf(request.getUrn()),
        bag(request.getOldInputs()),
        bag(request.getNews()),
        bag(request.getOlds()),
      );
      return inputDiffResponse(differences).setDeletebeforereplace(deleteBeforeReplace);
    }),

    create: unary(async ({ request }: ServerUnaryCall<CreateRequest, CreateResponse>) => {
      const types = typesOf(request.getUrn());
      if (!request.getPreview()) throw onlyPlans("created", request.getUrn());
      const outputs = planCreate(types, bag(request.getProperties()));
      return new CreateResponse().setProperties(Struct.fromJavaScript(outputs));
    }),

    read: unary(async ({ request }: ServerUnaryCall<ReadRequest, ReadResponse>) => {
      const types = typesOf(request.getUrn());
      // What the program only looks up (`StorageAccount.get`) has no inputs; what it deployed has.
      if (Object.keys(bag(request.getInputs())).length > 0) throw onlyPlans("read", request.getUrn());
      const known = outputsOfId(request.getId());
      if (known === undefined) {
        throw new UserError(
          `${nameOf(request.getUrn())}: "${request.getId()}" is not the id of an Azure resource`,
          { fix: "give its whole id: /subscriptions/…/resourceGroups/…/providers/…" },
        );
      }
      // The engine takes no unknown outputs here; the program finds those that are missing unknown.
      const outputs = Object.entries(known).filter(([name]) => types.outputs.has(name));
      return new ReadResponse()
        .setId(request.getId())
        .setProperties(Struct.fromJavaScript(Object.fromEntries(outputs)));
    }),

    update: unary(async ({ request }: ServerUnaryCall<UpdateRequest, UpdateResponse>) => {
      const types = typesOf(request.getUrn());
      if (!request.getPreview()) throw onlyPlans("updated", request.getUrn());
      const outputs = planUpdate(types, bag(request.getNews()), bag(request.getOlds()));
      return new UpdateResponse().setProperties(Struct.fromJavaScript(outputs));
    }),

    delete: unary(async ({ request }: ServerUnaryCall<DeleteRequest, Empty>) => {
      throw onlyPlans("deleted", request.getUrn());
    }),

    // The engine takes no unknown answers, and a made-up one would end up in the plan.
    invoke: unary(async ({ request }: ServerUnaryCall<InvokeRequest, InvokeResponse>) => {
      throw new UserError(
        `${request.getTok()} asks Azure, and a stand-in that only plans serves azure-native here`,
        { fix: `take from the config what it would answer, or ${installOfficial}` },
      );
    }),
  };
}

function typesOf(urn: string): ResourceTypes {
  const types = resourceTypes(typeOf(urn));
  if (types !== undefined) return types;
  throw new UserError(`@pulumi/azure-native ${version} has no ${typeOf(urn)}`, { fix: installOfficial });
}

function onlyPlans(what: string, urn: string): UserError {
  return new UserError(
    `${nameOf(urn)} cannot be ${what}: a stand-in that only plans serves azure-native here`,
    { fix: installOfficial },
  );
}

function bag(struct: Struct | undefined): Bag {
  return (struct?.toJavaScript() ?? {}) as Bag;
}
