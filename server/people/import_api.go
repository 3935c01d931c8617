package people

import (
	"context"
	"net/http"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// LinesACall is how many lines a call takes: so many fit into the largest body, and one transaction with so many holds
// up nobody.
const LinesACall = 50

type importInput struct {
	Body struct {
		People  []importLine `json:"people" minItems:"1" maxItems:"50" nullable:"false"`
		Confirm bool         `json:"confirm" doc:"Invite the people of the good lines. Without it nobody is made."`
	}
}

// importLine is a line of the file as it stands there: what is wrong with it is told and refuses no other.
type importLine struct {
	Line        int    `json:"line" minimum:"1" doc:"Its number in the file."`
	Name        string `json:"name" maxLength:"400"`
	Email       string `json:"email" maxLength:"1000"`
	Role        string `json:"role,omitempty" maxLength:"100" doc:"member, where it is left out, or administrator."`
	Requirement string `json:"requirement,omitempty" maxLength:"100" doc:"off, allowed or required; where it is left out: the installation's (GET /api/v1/settings, new_people)."`
	Deadline    string `json:"deadline,omitempty" maxLength:"100" doc:"With required: a date, until whose end in UTC, or a date with its time (RFC 3339)."`
	Reason      string `json:"reason,omitempty" maxLength:"1200" doc:"Needed with off: why, for the record."`
}

// Imported is what became of the lines.
type Imported struct {
	Lines     []ImportedLine `json:"lines" nullable:"false"`
	ByMail    bool           `json:"by_mail" doc:"Invitations are mailed here, and nobody else sees their links."`
	ExpiresAt *time.Time     `json:"expires_at" doc:"Until when the links are good; null without confirm."`
}

// ImportedLine is what became of one line.
type ImportedLine struct {
	Line   int             `json:"line"`
	State  string          `json:"state" enum:"ok,bad,invited" doc:"ok: it can be imported; invited: it was."`
	Fields []problem.Field `json:"fields" nullable:"false" doc:"What is wrong with a bad line. email_taken: somebody has the address; mailbox_full: it has had so many mails within the hour that it gets no invitation; twice_in_file: a line before has it; without_required: a deadline goes with required alone."`
	Link   *string         `json:"invitation_link" doc:"To hand over: shown this once; null where it was mailed to the person."`
}

type importOutput struct{ Body Imported }

func (p *People) registerImport(api *web.API, operation describe) {
	op := operation("import-users", http.MethodPost, usersPath+"/import", "Look at lines of a file of people, or invite them", http.StatusOK)
	op.Description = "A bad line keeps no other out. With confirm the people of all good lines are made in one transaction; " +
		"who has an address already is told as `email_taken`, so the same call sent twice makes nobody twice."
	web.Register(api, web.FreshAdministrator, op, func(ctx context.Context, caller web.Caller, in *importInput) (*importOutput, error) {
		candidates := make([]Candidate, len(in.Body.People))
		for n, line := range in.Body.People {
			candidates[n] = Candidate(line)
		}
		if !in.Body.Confirm {
			verdicts, err := p.Look(ctx, candidates, Seen{})
			if err != nil {
				return nil, err
			}
			return &importOutput{Body: Imported{Lines: describeLines(api, verdicts), ByMail: p.Mails}}, nil
		}
		verdicts, expires, err := p.Import(ctx, audit.By(caller), candidates, Seen{}, func(ctx context.Context, tx database.Tx) error {
			return account.StillAdministrator(ctx, tx, caller)
		})
		if err != nil {
			return nil, err
		}
		return &importOutput{Body: Imported{Lines: describeLines(api, verdicts), ByMail: p.Mails, ExpiresAt: &expires}}, nil
	})
}

func describeLines(api *web.API, verdicts []Verdict) []ImportedLine {
	lines := make([]ImportedLine, len(verdicts))
	for n, v := range verdicts {
		line := ImportedLine{Line: v.Line, State: "ok", Fields: v.Fields}
		switch {
		case len(v.Fields) > 0:
			line.State = "bad"
		case v.Mailed:
			line.State = "invited"
		case v.Token != nil:
			link := api.Link(JoinPage, v.Token)
			line.State, line.Link = "invited", &link
		}
		if line.Fields == nil {
			line.Fields = []problem.Field{}
		}
		lines[n] = line
	}
	return lines
}
