// A direct client: JupyterLab's own library for kernels and sessions, without a Jupyter server.
// Talks to BASE_URL with TOKEN and prints what it saw as JSON.
import {
  KernelManager,
  KernelSpecManager,
  ServerConnection,
  SessionManager,
} from '@jupyterlab/services';
import WebSocket from 'ws';

const baseUrl = process.env.BASE_URL;
const serverSettings = ServerConnection.makeSettings({
  baseUrl,
  wsUrl: baseUrl.replace(/^http/, 'ws'),
  token: process.env.TOKEN,
  appendToken: true,
  WebSocket,
});

async function run(kernel, code) {
  const future = kernel.requestExecute({ code });
  let output = '';
  future.onIOPub = (message) => {
    if (message.header.msg_type === 'stream') output += message.content.text;
  };
  const reply = await future.done;
  return { status: reply.content.status, output };
}

async function models(manager) {
  await manager.refreshRunning();
  return [...manager.running()];
}

const specs = new KernelSpecManager({ serverSettings });
await specs.ready;
const kernels = new KernelManager({ serverSettings });
const sessions = new SessionManager({ serverSettings, kernelManager: kernels });
await sessions.ready;

const seen = { specs: Object.keys(specs.specs.kernelspecs) };
const before = await models(sessions);
const session = await sessions.startNew({
  path: 'work/one.ipynb',
  name: 'one.ipynb',
  type: 'notebook',
  kernel: { name: 'python3' },
});
seen.created = session.model;
seen.cell = await run(session.kernel, 'x = 41\nprint(x + 1)');
seen.listed = (await models(sessions)).filter((one) => !before.some((other) => other.id === one.id));
seen.found = await sessions.findByPath('work/one.ipynb');

await Promise.all([session.setPath('work/two.ipynb'), session.setName('two.ipynb')]);
seen.renamed = (await models(sessions)).find((one) => one.id === session.id);

const second = await sessions.startNew({
  path: 'work/console',
  name: 'console',
  type: 'console',
  kernel: { id: session.kernel.id },
});
seen.second = second.model;
seen.shared = await run(second.kernel, 'print(x)');

const first = session.kernel.id;
await session.changeKernel({ name: 'python3' });
seen.changed = session.model;
seen.fresh = await run(session.kernel, 'print("x" in globals())');
seen.first = first;

await session.shutdown();
seen.left = (await models(sessions)).map((one) => one.kernel.id);
console.log(JSON.stringify(seen));
process.exit(0);
