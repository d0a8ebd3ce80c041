// Package sdk is all that the author of a Shophand plugin needs.
//
// A plugin is a program that offers actions, which flows call as steps. The host starts it as a process of
// its own and speaks gRPC with it; the author writes one plain function for each action:
//
//	func tagOrder(ctx context.Context, req sdk.Request[Config, TagInput]) (TagOutput, error) { … }
//
//	func New() *sdk.Plugin[Config] {
//		p := sdk.New[Config](sdk.Info{Name: "tagger", Version: "0.1.0", Summary: "Tags orders."})
//		sdk.AddAction(p, "tag_order", "Adds a tag to an order.", tagOrder, sdk.Idempotent())
//		return p
//	}
//
//	func main() { New().Serve() }
//
// # Schemas
//
// Config, input and output are structs. Names come from json tags, descriptions from jsonschema tags, and a
// field with omitempty or omitzero is optional. A method JSONSchema(*jsonschema.Schema) on the struct may
// refine its schema (enums, defaults, limits). Unknown fields are refused.
//
// # At least once
//
// The host may carry an action out more than once for one step: after a failure, and after a crash of either
// side. [Request.IdempotencyKey] is the same each time. Hand it to the vendor, or look for what an earlier
// attempt did, and declare by an option ([Keyed], [Idempotent], [Verifying]) that repeating is safe. Where
// nothing is declared, the host never repeats an attempt whose outcome it does not know.
//
// # Errors
//
// Any error means: try again later, as the step's retry policy says. [Permanent] means that trying again is
// of no use; [RetryAfter] means not before some time has passed; [Unknown] that a request went out and no answer
// came, which leaves an action that must not be repeated unasked to a person.
//
// # Data
//
// [Request.Data] reads and changes what the plugin keeps in the host for the shop. The changes travel with the
// output and are committed together with it, once per idempotency key, or not at all.
//
// Standard output belongs to the handshake: print nothing there. Log with [Request.Log].
package sdk
