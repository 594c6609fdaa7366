// CoreDNS as we build it: one static program.
import { copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Tools } from "../tools";
import type { Image } from "./archive";

export const corednsTag = "ms5.local/coredns:built";

export function corednsImage(tools: Tools): Image {
  return {
    name: "CoreDNS",
    key: `coredns-1-${basename(dirname(dirname(tools.coredns)))}`,
    tags: { [corednsTag]: { Entrypoint: ["/coredns"] } },
    async files(draft) {
      await copyFile(tools.coredns, join(draft, "coredns"));
      return draft;
    },
  };
}
