package web

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func init() { huma.ValidateStrictCasing = true }

// writeDocument makes the OpenAPI document. Its schemas are made for it: most servers are never asked, and those of the
// answers are nowhere else needed.
func (a *API) writeDocument() []byte {
	document := huma.DefaultConfig("Secondstep", "1").OpenAPI
	document.Info.Description = "The HTTP interface of Secondstep, a self-hosted 2-step verification. " +
		"`x-access` says who may call an operation. Times are RFC 3339 in UTC."
	for _, rt := range a.routes {
		document.AddOperation(rt.described(document.Components.Schemas))
	}
	raw, err := json.Marshal(document)
	if err != nil {
		// It is made of our own types only: this can't depend on anybody's input.
		panic(fmt.Errorf("web: the OpenAPI document can't be written: %w", err))
	}
	return raw
}

func (rt *route) described(schemas huma.Registry) *huma.Operation {
	op := rt.op
	op.Extensions = map[string]any{"x-access": rt.access.String()}
	if rt.others.name != "" {
		op.Extensions["x-access-others"] = rt.others.String()
	}
	in, err := inputOf(rt.input.of, schemas, op.OperationID)
	if err != nil {
		panic(fmt.Errorf("web: %s %s: %w", rt.method, rt.pattern, err)) // its registration went well
	}
	in.describe(&op)
	rt.output.describe(&op, schemas)
	return &op
}

// problemDetails describes every refusal in the OpenAPI document (RFC 9457).
// What is sent is problem.Problem.Body; a test holds the two together.
type problemDetails struct {
	Title             string         `json:"title" doc:"The status's own phrase."`
	Status            int            `json:"status" doc:"The HTTP status."`
	Code              string         `json:"code" doc:"The stable name of the problem." example:"code_refused"`
	Detail            string         `json:"detail" doc:"One English sentence. It never repeats what was sent."`
	RequestID         string         `json:"request_id" doc:"The request's number in the log."`
	Fields            []fieldIssue   `json:"fields,omitempty" nullable:"false" doc:"What is wrong with which input."`
	RetryAfterSeconds int64          `json:"retry_after_seconds,omitempty" doc:"How long to wait, as in Retry-After."`
	AppOnly           bool           `json:"app_only,omitempty" doc:"With fresh_proof_required: a backup code does not do for it, and is not to be spent."`
	Diagnosis         *codeDiagnosis `json:"diagnosis,omitempty" doc:"Why a code was refused; with code_refused and too_many_attempts."`
}

type fieldIssue struct {
	Name   string         `json:"name" doc:"The input's name, with dots and [n] below the top."`
	Code   string         `json:"code" doc:"What is wrong: required, too_short, too_long, invalid, or one of the operation's own."`
	Params map[string]any `json:"params,omitempty" doc:"Numbers for a sentence about it, such as min or max."`
}

// codeDiagnosis says why a code was refused.
type codeDiagnosis struct {
	Reason string `json:"reason" enum:"wrong_code,already_used,older_than_last,clock_behind,clock_ahead,previous_setup,setup_not_finished,malformed,enrolment_expired,too_many_attempts,sign_in_expired,backup_code_used,backup_code_replaced,no_backup_codes_left"`

	AttemptsLeft       int        `json:"attempts_left,omitempty" doc:"Tries that are left; absent where none are counted."`
	BreakNext          bool       `json:"break_next,omitempty" doc:"Of a sign-in: behind the tries that are left no code is taken for a while; else it begins again."`
	RetryAfterSeconds  int64      `json:"retry_after_seconds,omitempty"`
	Locked             bool       `json:"locked,omitempty" doc:"Codes are refused until somebody lifts it."`
	KeptForSignIn      bool       `json:"kept_for_sign_in,omitempty" doc:"A code can not be tested now: the tries that are left are kept for signing in."`
	StartAgain         bool       `json:"start_again,omitempty" doc:"This sign-in or enrolment takes no code any more; a new one does."`
	OffsetSeconds      int64      `json:"offset_seconds,omitempty" doc:"How far the device's clock is off; behind is negative."`
	NextCodeInSeconds  int64      `json:"next_code_in_seconds,omitempty"`
	UsedAt             *time.Time `json:"used_at,omitempty"`
	UsedBrowser        string     `json:"used_browser,omitempty" example:"Firefox on Linux"`
	UsedHere           bool       `json:"used_here,omitempty" doc:"It was used in this browser."`
	ReplacedAt         *time.Time `json:"replaced_at,omitempty"`
	SetupState         string     `json:"setup_state,omitempty" enum:"in_use,replaced,abandoned,disabled,removed" doc:"With previous_setup: what became of the setup that the code is of. In use: it is of an app that works, while another one is being set up."`
	SetupLabel         string     `json:"setup_label,omitempty" doc:"The entry in the app to look for."`
	OtherLabels        []string   `json:"other_labels,omitempty" nullable:"false" doc:"Further entries that would do."`
	OldLabel           string     `json:"old_label,omitempty" doc:"The entry that the code came from."`
	Expected           string     `json:"expected,omitempty" enum:"app_code,backup_code"`
	NextNumber         int        `json:"next_number,omitempty" doc:"The lowest number of a backup code that is not used."`
	Remaining          int        `json:"remaining,omitempty" doc:"Backup codes that are left."`
	ServerClockSuspect bool       `json:"server_clock_suspect,omitempty"`
}
