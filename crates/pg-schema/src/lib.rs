//! pg-schema
