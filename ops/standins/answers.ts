/** Answers that are the same whatever a stand-in stands in for. */
import type { ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import {
  CheckFailure,
  type CheckRequest,
  CheckResponse,
  DiffResponse,
  GetSchemaResponse,
  PropertyDiff,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { unary } from "./grpc";
import type { Difference, Failure } from "./kind";

/**
 * What the engine asks before there is a resource.
 *
 * @param version of the npm package whose types the program uses
 */
export function greetings(version: string): UntypedServiceImplementation {
  return {
    attach: unary(async () => new Empty()),
    cancel: unary(async () => new Empty()),
    getPluginInfo: unary(async () => new PluginInfo().setVersion(version)),
    getSchema: unary(async () => new GetSchemaResponse().setSchema("{}")),
    checkConfig: unary(async ({ request }: ServerUnaryCall<CheckRequest, CheckResponse>) =>
      new CheckResponse().setInputs(request.getNews()),
    ),
  };
}

export function checkResponse(inputs: Struct, failures: readonly Failure[]): CheckResponse {
  return new CheckResponse()
    .setInputs(inputs)
    .setFailuresList(
      failures.map(({ property, reason }) => new CheckFailure().setProperty(property).setReason(reason)),
    );
}

const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = PropertyDiff.Kind;
const plainKinds = { add: ADD, delete: DELETE, update: UPDATE };
const replacingKinds = { add: ADD_REPLACE, delete: DELETE_REPLACE, update: UPDATE_REPLACE };

/** The answer that names each property that differs. */
export function diffResponse(differences: readonly Difference[]): DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = DiffResponse.DiffChanges;
  const response = new DiffResponse()
    .setChanges(differences.length > 0 ? DIFF_SOME : DIFF_NONE)
    // The CLI's one-line summary knows whole properties only.
    .setDiffsList([...new Set(differences.map(({ property }) => property.split(/[.[]/, 1)[0] ?? property))])
    .setReplacesList(differences.filter(({ replaces }) => replaces).map(({ property }) => property))
    .setHasdetaileddiff(true);
  for (const { property, change, replaces } of differences) {
    const kinds = replaces ? replacingKinds : plainKinds;
    response.getDetaileddiffMap().set(property, new PropertyDiff().setKind(kinds[change]));
  }
  return response;
}

/** The same where inputs were compared with inputs: the resource itself may have more than the program gave it. */
export function inputDiffResponse(differences: readonly Difference[]): DiffResponse {
  const response = diffResponse(differences);
  response.getDetaileddiffMap().forEach((difference) => {
    difference.setInputdiff(true);
  });
  return response;
}
