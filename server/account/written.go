package account

import (
	"strings"

	"github.com/secondstep/secondstep/server/problem"
)

// CheckLine says what is wrong with a line that somebody has to write into a field of that name: a reason, a subject.
func CheckLine(name, line string, most int) []problem.Field {
	switch {
	case line == "":
		return []problem.Field{{Name: name, Code: "required"}}
	case len([]rune(line)) > most:
		return tooLong(name, most)
	case len(CheckLegible(line)) > 0:
		return []problem.Field{{Name: name, Code: "illegible"}}
	}
	return nil
}

// CheckText says what is wrong with a text, which may be empty: it may have lines, and nothing else that turns text around or
// tells a terminal what to do.
func CheckText(name, text string, most int) []problem.Field {
	if len([]rune(text)) > most {
		return tooLong(name, most)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Trim(line, " \u00a0") != "" && len(CheckLegible(line)) > 0 {
			return []problem.Field{{Name: name, Code: "illegible"}}
		}
	}
	return nil
}

func tooLong(name string, most int) []problem.Field {
	return []problem.Field{{Name: name, Code: "too_long", Params: map[string]any{"max": most}}}
}
