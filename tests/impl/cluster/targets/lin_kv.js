// A key-value store that speaks the Maelstrom protocol. The first node keeps everything, the others ask it.
// With "local" as argument each node keeps its own, and is broken for that reason.
const local = process.argv[2] === "local";
let id, primary, next = 0;
const held = new Map(), asked = new Map();

const send = (dest, body) => process.stdout.write(JSON.stringify({ src: id, dest, body }) + "\n");

function result(body) {
  const has = held.has(body.key), value = held.get(body.key);
  if (body.type === "write") { held.set(body.key, body.value); return { type: "write_ok" }; }
  if (!has && !(body.type === "cas" && body.create_if_not_exists)) return { type: "error", code: 20, text: "no such key" };
  if (body.type === "read") return { type: "read_ok", value };
  if (has && value !== body.from) return { type: "error", code: 22, text: `holds ${value}` };
  held.set(body.key, body.to);
  return { type: "cas_ok" };
}

function receive({ src, body }) {
  if (body.type === "init") {
    id = body.node_id;
    primary = local ? id : body.node_ids[0];
    send(src, { type: "init_ok", in_reply_to: body.msg_id });
  } else if (asked.has(body.in_reply_to)) {
    const [client, msg_id] = asked.get(body.in_reply_to);
    asked.delete(body.in_reply_to);
    send(client, { ...body, in_reply_to: msg_id });
  } else if (id === primary) {
    send(src, { ...result(body), in_reply_to: body.msg_id });
  } else {
    asked.set(++next, [src, body.msg_id]);
    send(primary, { ...body, msg_id: next });
  }
}

require("readline").createInterface({ input: process.stdin }).on("line", (line) => receive(JSON.parse(line)));
