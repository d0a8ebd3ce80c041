// Package run is the interpreter: it turns what happens to a run into what has to be done next. It is pure:
// no clock, no randomness, no I/O, no goroutine. An engine feeds it and carries its effects out:
//
//	state, effects, err := run.Advance(flow, state, input)
//	// write input, the frames that changed and effects in one transaction, then perform the effects;
//	// what comes of them are the next inputs
//
// A run's state is a header and a tree of small frames, one for each step that began, each under its own path.
// Advance reads and changes only the frames that it needs, so a long loop costs what it does and not what it
// has done. Inputs that are stale or repeated change nothing, so that an engine may deliver them more than
// once. Folding Advance over a run's inputs gives its state.
package run
