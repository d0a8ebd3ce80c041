// Package ingest takes webhooks in: it verifies them, keeps them on disk before it answers, and hands them on.
//
// [Handler] is the HTTP side: a delivery whose signature is right is appended to the [Log] and answered 200
// when the log has it on disk, never earlier. [Log] is the intake itself, one ordered backlog per shop.
// [Pump] draws from it, shop by shop in turn, has the platform's connector translate, and hands batches to a
// [Sink], which remembers how far it got; behind that position the log is trimmed.
//
// The way in never waits for the way out: no flow, plugin or backup can make a platform wait for its answer.
// What the log can't take is refused with 503, never accepted and lost.
package ingest
