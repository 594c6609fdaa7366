// Stack `cluster` on the test cluster: pods as small as they can be.
import { databaseTag, type TestCluster } from "../../cluster";
import { CommandStack, type Overrides } from "../../support/commandStack";

/** Another image for the database pods, loaded by `npm run cluster -- image load FILE`: docs/test-cluster.md. */
const otherImage = process.env.E2E_IMAGE;

/** Debian's TimescaleDB is of the Apache edition; whoever brings an image brings the other one. */
export const edition = otherImage === undefined ? "apache" : "community";

export class ClusterStack extends CommandStack {
  constructor(cluster: TestCluster, config: Overrides = {}) {
    super("cluster", {
      MS5_KUBERNETES_KUBECONFIG: cluster.kubeconfig,
      MS5_KUBERNETES_POD_NETWORK: "10.208.0.0/16",
      MS5_DATABASE_EDITION: edition,
      MS5_CLUSTER_IMAGE: otherImage ?? databaseTag,
      MS5_CLUSTER_CPU: "100m",
      MS5_CLUSTER_MEMORY: "1Gi",
      MS5_CLUSTER_DATA_VOLUME: "1Gi",
      MS5_CLUSTER_WAL_VOLUME: "1Gi",
      MS5_CLUSTER_MAX_CONNECTIONS: "80",
      MS5_POOLER_IMAGE: databaseTag,
      MS5_POOLER_HAPROXY_IMAGE: databaseTag,
      MS5_POOLER_SERVER_CONNECTIONS: "20",
      MS5_DESTROY_DROP_TELEMETRY: "true",
      // Tests of something else need nobody who watches.
      MS5_MONITORING_PLACE: "none",
      ...config,
    });
  }
}
