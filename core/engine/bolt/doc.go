// Package bolt is the embedded engine: one process, one bbolt file. It feeds the interpreter, writes each
// transition with its effects in one transaction, and only then performs them.
//
// One goroutine writes: it takes whatever transitions have gathered and commits them together, so that many
// runs share one fsync and a lone run waits for none. Runs at work are cached; their state on disk is always
// the same. What waits in memory (actions to carry out, the next timer) can be made anew from the file.
package bolt
