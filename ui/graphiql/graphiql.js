// The GraphQL playground: GraphiQL, talking to the server that served this page with the cookies of its sign-in.
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

const socket = new URL("/api/graphql/ws", location.href);
socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";

const fetcher = createGraphiQLFetcher({
  url: "/api/graphql",
  wsClient: createClient({ url: socket.href }),
});

const example = `# PulseCheck's API. Ctrl-Space completes, Ctrl-Enter runs;
# the documentation is behind the book on the left.
{
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
`;

createRoot(document.getElementById("graphiql")).render(createElement(GraphiQL, { fetcher, defaultQuery: example }));
