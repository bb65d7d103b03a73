//! The HTTP side, spoken to over real connections.

mod account;
mod app;
mod assets;
mod calendar;
mod graphql;
mod graphql_get;
mod health;
mod host;
mod provider;
mod rates;
mod session;
mod sign_in;
mod sign_up;
mod standin;
mod token;
mod websocket;
mod workspace;
