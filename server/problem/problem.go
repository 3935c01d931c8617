// Package problem is the one error type that a client may see.
//
// A Problem has two halves. Status, Code, Detail, Fields and Extra are written
// by us and are sent. The cause is whatever went wrong underneath: it is logged,
// and never sent. An error that is no Problem is a fault, and a fault tells a
// client nothing but that it happened.
package problem

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"time"
)

// ContentType is the media type of Body (RFC 9457).
const ContentType = "application/problem+json"

// Problem is a refusal or a fault as the client gets it.
//
// Problems are values that never change: the methods that add something return
// a copy, so that the ones declared in a package's problems.go can be shared.
type Problem struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	// Code is the stable name of the problem in snake_case; clients go by it.
	Code string
	// Detail is one English sentence for a person. It never repeats what was sent.
	Detail string
	// Fields says what is wrong with which input, where that can be said.
	Fields []Field
	// Extra holds extension members of the body, such as "diagnosis".
	Extra map[string]any
	// RetryAfter, where it is not zero, is sent as Retry-After and as
	// "retry_after_seconds", both rounded up to whole seconds.
	RetryAfter time.Duration

	cause error
}

// Field is what is wrong with one input.
type Field struct {
	// Name is the input's name in our schema, with dots and [n] below the top.
	Name string `json:"name"`
	// Code says what is wrong, such as "required" or "password_too_short".
	Code string `json:"code"`
	// Params are the numbers a sentence about it needs, such as {"min": 12}.
	Params map[string]any `json:"params,omitempty"`
}

// New makes a problem; status is an HTTP status, code a snake_case name that
// never changes, detail a sentence that may be shown to anybody.
func New(status int, code, detail string) *Problem {
	return &Problem{Status: status, Code: code, Detail: detail}
}

// Error is for logs: the code, and the cause where there is one.
func (p *Problem) Error() string {
	if p.cause == nil {
		return p.Code
	}
	return p.Code + ": " + p.cause.Error()
}

// Unwrap returns the hidden cause, nil without one.
func (p *Problem) Unwrap() error { return p.cause }

// Is tells that two problems are the same refusal: errors.Is(err, X) holds for
// every copy of X, whatever was added to it. The sentence is part of it, because
// two rooms may have one code for what is not the same, such as "busy".
func (p *Problem) Is(target error) bool {
	other, ok := target.(*Problem)
	return ok && other.Code == p.Code && other.Status == p.Status && other.Detail == p.Detail
}

// Because returns a copy with err as its hidden cause.
func (p *Problem) Because(err error) *Problem {
	c := *p
	c.cause = err
	return &c
}

// With returns a copy with the extension member name set to v. The members of
// RFC 9457 and our own ("code", "request_id", "fields", "retry_after_seconds")
// can't be replaced that way: they win in Body.
func (p *Problem) With(name string, v any) *Problem {
	c := *p
	c.Extra = make(map[string]any, len(p.Extra)+1)
	for k, old := range p.Extra {
		c.Extra[k] = old
	}
	c.Extra[name] = v
	return &c
}

// After returns a copy that asks the client to wait for d.
func (p *Problem) After(d time.Duration) *Problem {
	c := *p
	c.RetryAfter = d
	return &c
}

// For returns a copy about these fields, added to those it is about already.
func (p *Problem) For(fields ...Field) *Problem {
	c := *p
	c.Fields = append(append(make([]Field, 0, len(p.Fields)+len(fields)), p.Fields...), fields...)
	return &c
}

// RetryAfterSeconds is RetryAfter in whole seconds, rounded up, 0 without one.
func (p *Problem) RetryAfterSeconds() int64 {
	if p.RetryAfter <= 0 {
		return 0
	}
	return int64(math.Ceil(p.RetryAfter.Seconds()))
}

// Body is the problem as JSON (RFC 9457), without the cause. The "type" is left
// out, which means "about:blank"; so the title is the status's own phrase.
// It fails only when an Extra or a field's Params can't be written as JSON.
func (p *Problem) Body(requestID string) ([]byte, error) {
	members := make(map[string]any, len(p.Extra)+7)
	for k, v := range p.Extra {
		members[k] = v
	}
	members["title"] = http.StatusText(p.Status)
	members["status"] = p.Status
	members["code"] = p.Code
	members["detail"] = p.Detail
	members["request_id"] = requestID
	if len(p.Fields) > 0 {
		members["fields"] = p.Fields
	} else {
		delete(members, "fields")
	}
	if s := p.RetryAfterSeconds(); s > 0 {
		members["retry_after_seconds"] = s
	}
	return json.Marshal(members)
}

// Of returns the Problem in err's chain, or else a Fault that hides err.
// err must not be nil.
func Of(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) && p != nil {
		return p
	}
	return Fault(err)
}

// Fault is the 500 of everything that should not have happened; err is logged.
func Fault(err error) *Problem {
	return New(http.StatusInternalServerError, "internal_fault",
		"Something went wrong on our side. It is in the log under this request's number.").Because(err)
}
