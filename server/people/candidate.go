package people

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
)

// Candidate is a line of a file of people, as it stands there.
type Candidate struct {
	Line        int
	Name        string
	Email       string
	Role        string
	Requirement string
	Deadline    string
	Reason      string
}

// Administrator reports whether the line asks for one.
func (c Candidate) Administrator() bool { return plain(c.Role) == account.Administrator }

// What is wrong with a line beside what is wrong with a name and an address by themselves.
var (
	nameIllegible      = problem.Field{Name: "name", Code: "illegible"} // it goes over two lines, or has what nobody sees
	emailInvalid       = problem.Field{Name: "email", Code: "email_invalid"}
	emailTaken         = problem.Field{Name: "email", Code: "email_taken"}   // somebody of the account has it
	mailboxFull        = problem.Field{Name: "email", Code: "mailbox_full"}  // it has had too many mails to get an invitation now
	twiceInFile        = problem.Field{Name: "email", Code: "twice_in_file"} // a line before has it
	roleInvalid        = problem.Field{Name: "role", Code: "invalid"}
	requirementInvalid = problem.Field{Name: "requirement", Code: "invalid"}
	neverOff           = problem.Field{Name: "requirement", Code: "administrator_never_off"}
	deadlineInvalid    = problem.Field{Name: "deadline", Code: "invalid"}
	withoutRequired    = problem.Field{Name: "deadline", Code: "without_required"} // it goes with required alone
)

// person is who the line makes, and what keeps it from that. An empty role is a member's, an empty requirement is left
// to the account. A deadline that is a date is the end of that day, in UTC.
func (c Candidate) person() (account.New, []problem.Field) {
	fields := account.CheckIdentity(c.Name, c.Email)
	wrong := func(field problem.Field) { fields = append(fields, field) }
	if name := strings.TrimSpace(c.Name); strings.ContainsFunc(name, unicode.IsControl) && !slices.ContainsFunc(fields, aboutName) {
		wrong(nameIllegible)
	}
	made := account.New{Name: c.Name, Email: c.Email, Role: plain(c.Role), Requirement: plain(c.Requirement)}
	switch made.Role {
	case "":
		made.Role = account.Member
	case account.Member, account.Administrator:
	default:
		wrong(roleInvalid)
	}
	switch made.Requirement {
	case "", account.RequirementAllowed, account.RequirementRequired:
	case account.RequirementOff:
		if made.Role == account.Administrator {
			wrong(neverOff)
			break
		}
		fields = append(fields, account.CheckReason(strings.TrimSpace(c.Reason))...) // who takes protection away says why (row 58)
	default:
		wrong(requirementInvalid)
	}
	if deadline := strings.TrimSpace(c.Deadline); deadline != "" {
		at, ok := moment(deadline)
		switch {
		case !ok:
			wrong(deadlineInvalid)
		case made.Requirement != account.RequirementRequired:
			wrong(withoutRequired)
		default:
			made.Deadline = database.At(at)
		}
	}
	return made, fields
}

func aboutName(field problem.Field) bool { return field.Name == "name" }

// plain is a word of a cell: a spreadsheet writes it in capitals at the beginning of a cell.
func plain(cell string) string { return strings.ToLower(strings.TrimSpace(cell)) }

// moment reads a date, or a date with its time.
func moment(text string) (time.Time, bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Second), day.Year() > 1
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil && at.Year() > 1
}
