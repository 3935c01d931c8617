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

// checkText says what is wrong with a text that was tidied.
func checkText(text string) []problem.Field {
	if text == "" {
		return []problem.Field{{Name: "text", Code: "required"}}
	}
	return account.CheckText("text", text, MaxText)
}

// checkSubject says what is wrong with a subject, which is one line.
func checkSubject(subject string) []problem.Field {
	return account.CheckLine("subject", subject, MaxSubject)
}

// oneLine makes a subject of what was typed.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
