// What Socket.IO's documentation shows: a token, rooms, an answer to the sender, and the Redis adapter.
const { randomUUID } = require("node:crypto");
const { createServer } = require("node:http");
const { createAdapter } = require("@socket.io/redis-adapter");
const jwt = require("jsonwebtoken");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const { PORT, REDIS_URL, SECRET } = process.env;

async function main() {
  const publisher = createClient({ url: REDIS_URL });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const http = createServer();
  const io = new Server(http, { adapter: createAdapter(publisher, subscriber), transports: ["websocket"] });
  io.use((socket, next) => {
    try {
      socket.data = jwt.verify(socket.handshake.auth.token, SECRET, { algorithms: ["HS256"] });
      next();
    } catch {
      next(new Error("unauthorized"));
    }
  });
  io.on("connection", (socket) => {
    socket.join(socket.data.rooms);
    socket.on("send", ({ room, client_message_id, content }, answer) => {
      if (!socket.rooms.has(room)) return answer({ error: "not in this room" });
      const id = randomUUID();
      const sender_id = Number(socket.data.sub);
      const created_at = new Date().toISOString();
      io.to(room).emit("message", { id, room, sender_id, client_message_id, content, created_at });
      answer({ id });
    });
  });
  http.listen(Number(PORT), "127.0.0.1");
}

main();
