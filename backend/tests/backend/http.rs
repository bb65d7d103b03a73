//! The HTTP side, spoken to over real connections.

mod app;
mod assets;
mod calendar;
mod graphql;
mod health;
mod host;
mod session;
mod sign_in;
mod token;
mod websocket;
