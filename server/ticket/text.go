package ticket

import (
	"strings"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/problem"
)

// How much one may write, in characters.
const (
	MaxSubject = 120
	MaxText    = 4000
)

// tidy makes line breaks of one kind, and takes off what is around a text and at the ends of its lines.
func tidy(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ").Replace(text)
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		lines[n] = strings.TrimRight(line, " \u00a0")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n ")
}

// checkText says what is wrong with a text that was tidied: it may have lines, and nothing else that turns text around or
// tells a terminal what to do.
func checkText(text string) []problem.Field {
	refuse := func(code string) []problem.Field { return []problem.Field{{Name: "text", Code: code}} }
	switch {
	case text == "":
		return refuse("required")
	case len([]rune(text)) > MaxText:
		return []problem.Field{{Name: "text", Code: "too_long", Params: map[string]any{"max": MaxText}}}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(account.CheckLegible(line)) > 0 {
			return refuse("illegible")
		}
	}
	return nil
}

// checkSubject says what is wrong with a subject, which is one line.
func checkSubject(subject string) []problem.Field {
	switch {
	case subject == "":
		return []problem.Field{{Name: "subject", Code: "required"}}
	case len([]rune(subject)) > MaxSubject:
		return []problem.Field{{Name: "subject", Code: "too_long", Params: map[string]any{"max": MaxSubject}}}
	case len(account.CheckLegible(subject)) > 0:
		return []problem.Field{{Name: "subject", Code: "illegible"}}
	}
	return nil
}

// oneLine makes a subject of what was typed.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
