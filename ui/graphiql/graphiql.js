// The GraphQL playground: GraphiQL, connected to the server that served this page, with the cookies
// of its session.
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

const example = `# PulseCheck's API. Press Ctrl-Space to complete and Ctrl-Enter to run.
# Click the book on the left for the documentation.
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
