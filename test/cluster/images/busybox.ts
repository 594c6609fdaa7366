// BusyBox alone: what holds a pod's network (the sandbox image), and a shell for tests.
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { runHost } from "../machine";
import type { Tools } from "../tools";
import type { Image } from "./archive";

export const busyboxTag = "ms5.local/busybox:static";

export function busyboxImage(tools: Tools): Image {
  return {
    name: "busybox",
    key: `busybox-1-${basename(tools.root)}`,
    tags: {
      [busyboxTag]: {
        Env: ["PATH=/bin"],
        // As a sandbox it has nothing to do but to be there.
        Entrypoint: ["/bin/sleep"],
        Cmd: ["2147483647"],
      },
    },
    async files(draft) {
      const program = join(tools.root, "usr/bin/busybox");
      const bin = join(draft, "bin");
      await mkdir(bin);
      await mkdir(join(draft, "tmp"));
      await copyFile(program, join(bin, "busybox"));
      const applets = (await runHost(program, ["--list"])).split("\n");
      for (const applet of applets) {
        if (applet !== "" && applet !== "busybox") await symlink("busybox", join(bin, applet));
      }
      return draft;
    },
  };
}
