// Package connectortest is the suite that every connector passes, whatever its platform.
//
// A connector's own test gives [Run] a [Subject]: the connector, a function that signs a body as the platform
// does, and cases: deliveries with their bodies as the platform sends them. Run then holds the connector to
// what the host relies on:
//
//   - Verify takes a right signature by any of several secrets, and refuses everything else: another secret,
//     one changed byte, no signature, no secret or only empty ones. Its errors show neither.
//   - KeepHeaders keeps no signature, and names what it keeps by canonical names.
//   - Translate is pure: it changes nothing of the delivery and comes to the same each time. Every event that
//     it makes keeps the rules of [Translate].
//   - Each case comes to the events in its golden file, testdata/NAME.golden, JSON without the raw body; or to
//     an error with the text in Case.Error. Set Subject.Update to write the files anew.
//   - What something is does not depend on how it was said: other white space and another order of keys come
//     to the same events, and the same event delivered again has the same identity.
//   - Hostile bodies are an error, and a body of which one value was replaced is an error or makes events that
//     keep the rules; nothing panics.
package connectortest
