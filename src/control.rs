//! placeholder
pub mod auth;
pub mod fault;
pub mod limits;
pub mod order;
pub mod session;
