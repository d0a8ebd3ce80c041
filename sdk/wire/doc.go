// Package wire is the boundary between the host and a plugin: the contract as Go types, its protobuf form,
// and the two ends of the connection. Plugin authors use package sdk, which is built on it; the contract for
// other languages is v1/plugin.proto.
package wire

//go:generate go run ./generate v1/plugin.proto
