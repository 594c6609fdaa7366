/**
 * Stand-in for the official `kubernetes` plugin: any kind that the API server knows, by server-side apply. Objects
 * are free in form, so the rules for bridged providers (../kind.ts) don't fit; these are the official plugin's own.
 */
import type { ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { version } from "@pulumi/kubernetes/package.json";
import type { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
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
  ErrorResourceInitFailed,
  type InvokeRequest,
  type InvokeResponse,
  type ReadRequest,
  ReadResponse,
  type UpdateRequest,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { UserError } from "../../../infra/errors";
import { checkResponse, greetings, inputDiffResponse } from "../answers";
import { DetailedError, listen, PerConnection, type Served, typeOf, unary } from "../grpc";
import { naming } from "../provider";
import { type Bag, sameValue, withoutSecrets } from "../values";
import { timeoutSeconds } from "./annotations";
import { Cluster, isOtherCluster } from "./cluster";
import { driftedInputs, importedInputs } from "./drift";
import { EngineLog } from "./engineLog";
import { loadClient } from "./kubeconfig";
import { managerOf } from "./naming";
import { idOf, parseId, typeOfToken } from "./object";
import { create, remove, update, type Way } from "./operations";
import { planChange, planInputs } from "./plan";
import { previewCreate, previewUpdate } from "./preview";
import { sealedLike } from "./secrets";
import { recordedIn, stateOf } from "./state";
import { NotReady, type Patience, readyNow } from "./waiting";

/** An object may take so long to become ready or to go, when the program doesn't say. */
const patienceSeconds = 600;

export function serveKubernetes(): Promise<Served> {
  const provider = new KubernetesProvider();
  return listen(provider.service(), () => provider.cancel());
}

class KubernetesProvider {
  private readonly clusters = new PerConnection<Cluster>("kubernetes");
  private readonly log = new EngineLog();
  private cancelled = new AbortController();

  cancel(): void {
    this.cancelled.abort();
  }

  service(): UntypedServiceImplementation {
    return {
      ...greetings(version),
      attach: unary(async ({ request }: ServerUnaryCall<PluginAttach, Empty>) => {
        this.log.connect(request.getAddress());
        // It will be needed by the time that the program has come to its first provider.
        loadClient().catch(() => undefined);
        return new Empty();
      }),
      cancel: unary(async () => {
        this.cancel();
        return new Empty();
      }),
      diffConfig: unary((call: ServerUnaryCall<DiffRequest, DiffResponse>) => this.diffConfig(call)),
      configure: unary((call: ServerUnaryCall<ConfigureRequest, ConfigureResponse>) => this.configure(call)),
      check: unary((call: ServerUnaryCall<CheckRequest, CheckResponse>) => this.check(call)),
      diff: unary((call: ServerUnaryCall<DiffRequest, DiffResponse>) => this.diff(call)),
      create: unary((call: ServerUnaryCall<CreateRequest, CreateResponse>) => this.create(call)),
      read: unary((call: ServerUnaryCall<ReadRequest, ReadResponse>) => this.read(call)),
      update: unary((call: ServerUnaryCall<UpdateRequest, UpdateResponse>) => this.update(call)),
      delete: unary((call: ServerUnaryCall<DeleteRequest, Empty>) => this.delete(call)),
      invoke: unary(async ({ request }: ServerUnaryCall<InvokeRequest, InvokeResponse>) => {
        throw new UserError(`the kubernetes stand-in has no function ${request.getTok()}`, {
          fix: `install the official plugin: pulumi plugin install resource kubernetes ${version}`,
        });
      }),
    };
  }

  private async diffConfig({ request }: ServerUnaryCall<DiffRequest, DiffResponse>): Promise<DiffResponse> {
    const { DIFF_SOME, DIFF_NONE } = DiffResponse.DiffChanges;
    const [before, after] = [open(request.getOlds()), open(request.getNews())];
    if (sameValue(before, after, false)) return new DiffResponse().setChanges(DIFF_NONE);
    const changed = new DiffResponse().setChanges(DIFF_SOME);
    return (await isOtherCluster(before, after)) ? changed.setReplacesList(["kubeconfig"]) : changed;
  }

  private async configure(
    call: ServerUnaryCall<ConfigureRequest, ConfigureResponse>,
  ): Promise<ConfigureResponse> {
    // Another engine than the one that was done with us.
    if (this.cancelled.signal.aborted) this.cancelled = new AbortController();
    this.clusters.set(call, await Cluster.connect(open(call.request.getArgs())));
    return new ConfigureResponse()
      .setAcceptsecrets(true)
      .setSupportspreview(true)
      .setSupportsAutonamingConfiguration(true);
  }

  private async check(call: ServerUnaryCall<CheckRequest, CheckResponse>): Promise<CheckResponse> {
    const { request } = call;
    const marked = raw(request.getNews());
    const { inputs, failures } = await planInputs(
      this.clusters.get(call),
      typeOfToken(typeOf(request.getUrn())),
      withoutSecrets(marked),
      open(request.getOlds()),
      naming(request),
    );
    return checkResponse(sealed(inputs, marked), failures);
  }

  private async diff(call: ServerUnaryCall<DiffRequest, DiffResponse>): Promise<DiffResponse> {
    const recorded = recordedIn(raw(call.request.getOlds()));
    const inputs = open(call.request.getNews());
    const { changes, deleteBeforeReplace } = planChange(this.clusters.get(call), recorded, inputs);
    return inputDiffResponse(changes).setDeletebeforereplace(deleteBeforeReplace);
  }

  private async create(call: ServerUnaryCall<CreateRequest, CreateResponse>): Promise<CreateResponse> {
    const { request } = call;
    const cluster = this.clusters.get(call);
    const urn = request.getUrn();
    const marked = raw(request.getProperties());
    const inputs = withoutSecrets(marked);
    const way = this.way(urn, managerOf(urn), request.getTimeout(), inputs);
    if (request.getPreview()) {
      this.warnIfUnreachable(cluster, urn);
      const planned = await previewCreate(cluster, inputs, way);
      return new CreateResponse().setProperties(sealed(planned ?? inputs, marked));
    }
    try {
      const live = await create(cluster, inputs, way);
      return new CreateResponse()
        .setId(idOf(live))
        .setProperties(Struct.fromJavaScript(stateOf(live, inputs, way.manager, marked)));
    } catch (error) {
      throw halfway(error, (live) => stateOf(live, inputs, way.manager, marked));
    } finally {
      this.log.status(urn, "");
    }
  }

  private async update(call: ServerUnaryCall<UpdateRequest, UpdateResponse>): Promise<UpdateResponse> {
    const { request } = call;
    const cluster = this.clusters.get(call);
    const urn = request.getUrn();
    const marked = raw(request.getNews());
    const inputs = withoutSecrets(marked);
    const recorded = recordedIn(raw(request.getOlds()));
    const way = this.way(urn, recorded.manager ?? managerOf(urn), request.getTimeout(), inputs);
    if (request.getPreview()) {
      this.warnIfUnreachable(cluster, urn);
      const planned = await previewUpdate(cluster, inputs, request.getIgnorechangesList(), way);
      return new UpdateResponse().setProperties(sealed(planned ?? inputs, marked));
    }
    try {
      const live = await update(cluster, inputs, request.getIgnorechangesList(), way);
      return new UpdateResponse().setProperties(
        Struct.fromJavaScript(stateOf(live, inputs, way.manager, marked)),
      );
    } catch (error) {
      throw halfway(error, (live) => stateOf(live, inputs, way.manager, marked));
    } finally {
      this.log.status(urn, "");
    }
  }

  private async read(call: ServerUnaryCall<ReadRequest, ReadResponse>): Promise<ReadResponse> {
    const { request } = call;
    const cluster = this.clusters.get(call);
    const urn = request.getUrn();
    if (this.isForgotten(cluster, urn)) return new ReadResponse();
    const recorded = recordedIn(raw(request.getProperties()));
    const marked = raw(request.getInputs());
    const at = { ...typeOfToken(typeOf(urn)), ...parseId(request.getId()) };
    const { objects } = cluster;
    const live = (await objects.served(at)) === undefined ? undefined : await objects.get(at);
    // No id: the object is gone.
    if (live === undefined) return new ReadResponse();
    const inputs =
      recorded.inputs === undefined ? undefined : driftedInputs(recorded.inputs, recorded.live, live);
    const state = stateOf(live, inputs, recorded.manager ?? managerOf(urn), marked);
    const shown = sealedLike(inputs ?? importedInputs(live), marked);
    try {
      // An object that is only looked at may be as it likes.
      if (inputs !== undefined) await readyNow(objects, live);
    } catch (error) {
      throw halfway(
        error,
        () => state,
        () => shown,
      );
    }
    return new ReadResponse()
      .setId(request.getId())
      .setProperties(Struct.fromJavaScript(state))
      .setInputs(Struct.fromJavaScript(shown));
  }

  private async delete(call: ServerUnaryCall<DeleteRequest, Empty>): Promise<Empty> {
    const { request } = call;
    const cluster = this.clusters.get(call);
    const urn = request.getUrn();
    if (this.isForgotten(cluster, urn)) return new Empty();
    const recorded = recordedIn(raw(request.getProperties()));
    const at = { ...typeOfToken(typeOf(urn)), ...parseId(request.getId()) };
    try {
      const patience = this.patience(urn, request.getTimeout(), recorded.inputs ?? recorded.live);
      await remove(cluster, recorded, at, patience);
      return new Empty();
    } finally {
      this.log.status(urn, "");
    }
  }

  private way(urn: string, manager: string, timeout: number, inputs: Bag): Way {
    const warn = (message: string): void => this.log.warn(urn, message);
    return { ...this.patience(urn, timeout, inputs), manager, warn };
  }

  /** @param timeout in seconds, as the resource's options have it; 0 for none */
  private patience(urn: string, timeout: number, inputs: Bag): Patience {
    return {
      timeoutMs: (timeout || timeoutSeconds(inputs) || patienceSeconds) * 1000,
      signal: this.cancelled.signal,
      tell: (status) => this.log.status(urn, status),
    };
  }

  private warnIfUnreachable({ unreachable }: Cluster, urn: string): void {
    if (unreachable === undefined) return;
    this.log.warnOnce(
      urn,
      `${unreachable.message}; this preview shows what the program says, not what the cluster makes of it, and an up would fail\nfix: ${unreachable.fix}`,
    );
  }

  /** Whether the object counts as gone because its cluster is, and the stack says so. */
  private isForgotten({ settings, unreachable }: Cluster, urn: string): boolean {
    if (!settings.deleteUnreachable || unreachable === undefined) return false;
    this.log.warn(urn, `${unreachable.message}; deleteUnreachable is set, so it is forgotten`);
    return true;
  }
}

/** An error that has the object recorded all the same, if it is there. */
function halfway(error: unknown, state: (live: Bag) => Bag, inputs?: () => Bag): unknown {
  if (!(error instanceof NotReady)) return error;
  const message = new ErrorResourceInitFailed()
    .setId(idOf(error.live))
    .setReasonsList([error.message])
    .setProperties(Struct.fromJavaScript(state(error.live)));
  if (inputs !== undefined) message.setInputs(Struct.fromJavaScript(inputs()));
  return new DetailedError(error.message, { type: "pulumirpc.ErrorResourceInitFailed", message });
}

/** With secrets marked. */
function raw(struct: Struct | undefined): Bag {
  return (struct?.toJavaScript() ?? {}) as Bag;
}

function open(struct: Struct | undefined): Bag {
  return withoutSecrets(raw(struct));
}

function sealed(object: Bag, marked: Bag): Struct {
  return Struct.fromJavaScript(sealedLike(object, marked));
}
