//! Transcripts, vectors, properties and simulations that test ehlo.
