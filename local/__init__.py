"""The same stack on one machine: `make serve`, and the ground the tests stand on."""
