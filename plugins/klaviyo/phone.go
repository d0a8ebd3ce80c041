package klaviyo

import (
	"fmt"
	"regexp"
	"strings"
)

// e164 is the international form of a phone number, the only one that Klaviyo takes.
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// normalisePhone returns a phone number in E.164 form. It takes out what people write between digits and turns
// a leading 00 into +. It never guesses a country: a national number is refused, and so is the "(0)" in
// "+44 (0)20", which some countries dial and others do not. "" stays "".
func normalisePhone(s string) (string, error) {
	n := strings.TrimSpace(s)
	if n == "" {
		return "", nil
	}
	if strings.Contains(n, "(0)") {
		return "", fmt.Errorf("phone %q has a (0), which cannot be read safely; write it as in +442079460000", short(s))
	}
	n = strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "\u2010", "", "\u2011", "", ".", "", "/", "", "(", "", ")", "").Replace(n)
	if rest, ok := strings.CutPrefix(n, "00"); ok {
		n = "+" + rest
	}
	if !e164.MatchString(n) {
		return "", fmt.Errorf("phone %q is not in international form; write it with the country's code, as in +442079460000, or leave phone out", short(s))
	}
	return n, nil
}
