package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// kind is what a line tells of. Each has a symbol and a colour.
type kind int

const (
	note    kind = iota // anything else
	command             // that a person could have typed
	arrives             // a webhook
	starts              // a run
	done                // a step, or a check that holds
	failed              // a step, or a check that does not hold
	kills               // a process
	again               // an attempt that is repeated
	waits               // a run that lets time pass
	skips               // an event that starts nothing, or not that flow
	stops               // a run that ended early because its flow says so
)

// mark returns the symbol and the colour of the terminal.
func (k kind) mark() (symbol, colour string) {
	switch k {
	case command:
		return "$", "2"
	case arrives:
		return "→", "36"
	case starts:
		return "▶", "34"
	case done:
		return "✓", "32"
	case failed:
		return "✗", "31"
	case kills:
		return "☠", "1;31"
	case again:
		return "↻", "33"
	case waits:
		return "…", "35"
	case skips:
		return "·", "2"
	case stops:
		return "■", "2"
	}
	return " ", ""
}

// screen is what the person sees, line by line. It is used by one goroutine.
type screen struct {
	out      io.Writer
	colour   bool
	began    time.Time
	chapters int
	clock    string // of the last line, so that it is printed once
}

func newScreen(out io.Writer, colour bool) *screen {
	return &screen{out: out, colour: colour, began: time.Now()}
}

// paint gives text a colour of the terminal, where there are any.
func (s *screen) paint(colour, text string) string {
	if !s.colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// title begins the next chapter.
func (s *screen) title(title, sentence string) {
	s.chapters++
	s.heading(fmt.Sprintf("%d. %s", s.chapters, title), sentence)
}

// heading is a chapter without a number.
func (s *screen) heading(title, sentence string) {
	s.clock = ""
	fmt.Fprintf(s.out, "\n%s\n", s.paint("1", title))
	for _, line := range wrapped(sentence, 100) {
		s.plain("%s", s.paint("2", line))
	}
}

// line prints what happened, with the seconds since the beginning where they differ from those of the line
// above.
func (s *screen) line(k kind, format string, args ...any) {
	clock := fmt.Sprintf("%6.2f", time.Since(s.began).Seconds())
	shown := clock
	if clock == s.clock {
		shown = strings.Repeat(" ", len(clock))
	}
	s.clock = clock
	symbol, colour := k.mark()
	text := fmt.Sprintf(format, args...)
	if k == kills || k == failed || k == skips || k == stops || k == command {
		text = s.paint(colour, text)
	}
	fmt.Fprintf(s.out, "%s  %s %s\n", s.paint("2", shown), s.paint(colour, symbol), text)
}

// plain prints a line of a table or an explanation.
func (s *screen) plain(format string, args ...any) {
	fmt.Fprintf(s.out, "   %s\n", fmt.Sprintf(format, args...))
}

// wrapped breaks a text into lines of at most so many characters, between words.
func wrapped(text string, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case columnsOf(line)+1+columnsOf(word) > most:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// columns joins texts, each but the last one padded to its width.
func columns(texts []string, widths ...int) string {
	var b strings.Builder
	for i, text := range texts {
		if i == len(texts)-1 {
			b.WriteString(text)
			break
		}
		b.WriteString(text)
		width := 0
		if i < len(widths) {
			width = widths[i]
		}
		b.WriteString(strings.Repeat(" ", max(width-columnsOf(text), 0)+1))
	}
	return strings.TrimRight(b.String(), " ")
}

// columnsOf is how many columns of a terminal a text takes.
func columnsOf(text string) int {
	n := utf8.RuneCountInString(text)
	for _, r := range text {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			n++
		}
	}
	return n
}

// cut shortens a text to n characters.
func cut(text string, n int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

// plural is "1 run" or "3 runs".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
