package account

import "github.com/secondstep/secondstep/server/problem"

// maxReason is how many characters a reason may have.
const maxReason = 300

// CheckReason says what is wrong with a reason. Who reads the record later decides by it.
func CheckReason(reason string) []problem.Field {
	fields := CheckLegible(reason)
	switch {
	case reason == "":
		fields = []problem.Field{{Name: "reason", Code: "required"}}
	case len([]rune(reason)) > maxReason:
		fields = []problem.Field{{Name: "reason", Code: "too_long", Params: map[string]any{"max": maxReason}}}
	}
	for n := range fields {
		fields[n].Name = "reason"
	}
	return fields
}
