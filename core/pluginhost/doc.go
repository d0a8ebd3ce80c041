// Package pluginhost runs plugins: it starts their processes at first use, calls them, watches them and stops
// them. It knows nothing of flows, shops or steps.
//
// A [Host] has a fixed way with every plugin, built-in or a third party's:
//
//   - One process per plugin, started by whoever needs it first and shared by all, whose life is not tied to
//     any call. It inherits nothing: no environment, no file, no terminal; its working folder is its own.
//   - One gRPC connection with mutual TLS, both sides with limits on the size of a message.
//   - Every call has a deadline. What a call that failed means is told by the type of its error: [NotStarted],
//     the attempt surely never reached the plugin, or [Unknown], nobody knows whether it took effect.
//   - A process that ends unexpectedly is started anew by the next call, at once the first time and then after
//     a time that doubles. One that answers no health check is killed; one whose calls only hang is replaced,
//     and ends when its last call has.
//   - What a plugin prints becomes records of the host's log, so many a second and no more.
//
// No plugin outlives its host, however the host ends. On Linux the kernel kills the plugin's whole process
// group when the host dies; everywhere the plugin's standard input ends then, at which the SDK exits. A
// process that leaves its group (setsid) is out of reach.
package pluginhost
