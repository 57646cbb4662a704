//! The devices on a real directory: each by itself, as the services of the machine use them, and
//! against a model.

mod devices;
mod fixture;
mod services;
mod versions;
