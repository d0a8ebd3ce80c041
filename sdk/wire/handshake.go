package wire

import "github.com/hashicorp/go-plugin"

// Handshake is what host and plugin check before they speak. The cookie is no secret: it only keeps a plugin
// that is started by hand from waiting for a host.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		MagicCookieKey:   "SHOPHAND_PLUGIN",
		MagicCookieValue: "4f1c0e8b-shophand-plugin",
	}
}

// Versions of the contract, newest last. Host and plugin use the highest that both know. A new optional
// field is no new version.
const (
	// Version1 is the first: Describe, Configure, Invoke, HostCalls.
	Version1 = 1
)

// PluginKey is the name under which the service is dispensed.
const PluginKey = "shophand"

// Limits of one message, in bytes. gRPC's own are asymmetric (the server refuses above 4 MiB, the client
// takes anything), so both sides set them.
const (
	MaxToPlugin = 8 << 20
	MaxToHost   = 4 << 20
	// MaxOutput is the largest output of an action; sdk refuses a larger one with a clear failure.
	MaxOutput = 1 << 20
)
