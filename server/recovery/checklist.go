package recovery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/problem"
)

// longestLine is how many characters a line of the checklist has: one thought. How many lines there are, the API says.
const longestLine = 200

// Checklist makes what an administrator wrote into the lines by which a person's identity is made sure of, or says what is
// wrong with them.
func Checklist(written []string) (lines []string, wrong []problem.Field) {
	for n, line := range written {
		name := fmt.Sprintf("recovery_checklist[%d]", n)
		line = strings.TrimSpace(line)
		switch {
		case slices.Contains(lines, line):
			continue // it is there
		case line == "":
			wrong = append(wrong, problem.Field{Name: name, Code: "required"})
		case len([]rune(line)) > longestLine:
			wrong = append(wrong, problem.Field{Name: name, Code: "too_long", Params: map[string]any{"max": longestLine}})
		case len(account.CheckLegible(line)) > 0:
			wrong = append(wrong, problem.Field{Name: name, Code: "illegible"})
		}
		lines = append(lines, line)
	}
	return lines, wrong
}
