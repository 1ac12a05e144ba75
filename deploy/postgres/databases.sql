-- Run once, when the server has no data yet: a database for each context that keeps something.
CREATE DATABASE control_plane;
CREATE DATABASE allocation;
CREATE DATABASE network;
CREATE DATABASE discovery;
