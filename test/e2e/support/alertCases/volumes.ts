import { volumeAlerts } from "../../../../infra/monitoring/alerts/volumes";
import { volumeRecords } from "../../../../infra/monitoring/recordingRules";
import { always, type Course, type GroupCases, type Telling } from "../ruleTrials";

const GiB = 2 ** 30;
const day = 24 * 60;

/** Prod's: 100 GiB, of which the guard is 4 GiB, and 32 GiB with 1.6 GiB. */
const volumes = (free: { data?: Course; wal?: Course }): Telling => ({
  'ms5_volume_size_bytes{pod="blue-0",volume="data",job="member"}': always(100 * GiB),
  'ms5_volume_size_bytes{pod="blue-0",volume="wal",job="member"}': always(32 * GiB),
  'ms5_volume_free_bytes{pod="blue-0",volume="data",job="member"}': free.data ?? always(60 * GiB),
  'ms5_volume_free_bytes{pod="blue-0",volume="wal",job="member"}': free.wal ?? always(24 * GiB),
});

/** From `begin` on `perMinute` less, and all of it back at `end`. */
const falling = (from: number, begin: number, perMinute: number, end = Number.POSITIVE_INFINITY): Course => {
  return (minute) => (minute < begin || minute >= end ? from : from - (minute - begin) * perMinute) * GiB;
};

const data = { pod: "blue-0", volume: "data" };
const wal = { pod: "blue-0", volume: "wal" };

export const volumeCases: GroupCases = {
  groups: [volumeRecords, volumeAlerts],
  well: volumes({}),
  cases: {
    "DataVolumeFilling critical": {
      // Less than 40 GiB free after 80 minutes, and full after 142.
      telling: volumes({ data: falling(60, 60, 0.25, 200) }),
      fires: 151,
      over: 280,
      labels: data,
      says: ["blue-0"],
      silent: {
        "a bulk load of 70 minutes": {
          telling: volumes({ data: (minute) => (60 - 0.25 * Math.min(70, Math.max(0, minute - 60))) * GiB }),
          minutes: 400,
        },
        "a volume that is small and stays as it is": {
          telling: volumes({ data: always(20 * GiB) }),
          minutes: 400,
        },
      },
    },
    "DataVolumeFilling warning": {
      // 14 GiB a day: half is free after five of them.
      telling: volumes({ data: falling(60, 0, 14 / day, 2 * day) }),
      fires: 1089,
      over: 2 * day + 800,
      labels: data,
      says: ["blue-0"],
      silent: {
        "what the columnstore takes and gives back twice a day": {
          telling: volumes({ data: (minute) => (45 - (4 * (minute % 720)) / 720) * GiB }),
          minutes: 3 * day,
        },
        "the first load into a new stack": {
          telling: volumes({ data: (minute) => Math.max(45, 60 - minute * 0.1) * GiB }),
          minutes: 2 * day,
        },
      },
    },
    "WalVolumeFilling critical": {
      telling: volumes({ wal: falling(24, 60, 0.21, 160) }),
      // 40 % are free after 54 minutes.
      fires: 119,
      over: 200,
      labels: wal,
      says: ["blue-0"],
      silent: {
        "the log of a bulk load, until the next checkpoint": {
          telling: volumes({ wal: (minute) => (24 - Math.max(0, 11.5 - Math.abs(minute - 90) / 2)) * GiB }),
          minutes: 240,
        },
      },
    },
    "WalVolumeFilling warning": {
      // A slot keeps what it may.
      telling: volumes({ wal: (minute) => (minute >= 60 && minute < 120 ? 12 : 24) * GiB }),
      fires: 90,
      over: 121,
      labels: wal,
      says: ["blue-0", "37.5%"],
      silent: {
        "29 minutes": {
          telling: volumes({ wal: (minute) => (minute >= 60 && minute < 89 ? 12 : 24) * GiB }),
          minutes: 200,
        },
      },
    },
    "VolumeAlmostFull critical": {
      telling: volumes({ data: (minute) => (minute >= 60 && minute < 80 ? 7 : 60) * GiB }),
      fires: 65,
      over: 81,
      labels: data,
      says: ["data", "blue-0", "3Gi"],
      silent: {
        "what is freed within minutes": {
          telling: volumes({ data: (minute) => (minute >= 60 && minute < 64 ? 7 : 60) * GiB }),
          minutes: 120,
        },
      },
    },
  },
};
