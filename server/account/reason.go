package account

import "github.com/secondstep/secondstep/server/problem"

// maxReason is how many characters a reason may have.
const maxReason = 300

// CheckReason says what is wrong with a reason. Who reads the record later decides by it.
func CheckReason(reason string) []problem.Field { return CheckLine("reason", reason, maxReason) }
