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
		if slices.Contains(lines, line) {
			continue // it is there
		}
		wrong = append(wrong, account.CheckLine(name, line, longestLine)...)
		lines = append(lines, line)
	}
	return lines, wrong
}
