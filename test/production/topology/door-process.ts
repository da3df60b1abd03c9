/** The door with TLS in a process of its own, inside the network namespace of the cloud. */
import { openTlsDoor, type Certificates } from '../../integration/temporal/tls-door.ts';

const { target, port, certificates } = JSON.parse(process.argv[2] ?? '') as {
  readonly target: string;
  readonly port: number;
  readonly certificates: Certificates;
};
await openTlsDoor(target, certificates, port);
