package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/secondstep/secondstep/server/problem"
)

// Huma makes its errors by these two variables of its package, and puts the
// values sent into them, even a whole body. Ours take the place of the value
// from the schema alone. They are set before anything can be registered.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return &problemDetails{Status: status}
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		refusal := refusalOf(status, errs)
		if r, ok := ctx.Context().(*request); ok {
			r.refusal = refusal // gate answers with it, over what Huma writes
		}
		return &problemDetails{Status: refusal.Status}
	}
}

// GetStatus makes it Huma's kind of error.
func (d *problemDetails) GetStatus() int { return d.Status }

// Error is never shown.
func (d *problemDetails) Error() string { return http.StatusText(d.Status) }

// ContentType is that of problems, for the OpenAPI document.
func (d *problemDetails) ContentType(string) string { return problem.ContentType }

// refusalOf is the refusal that stands for what Huma found.
func refusalOf(status int, errs []error) *problem.Problem {
	switch status {
	case http.StatusBadRequest:
		return malformedBody
	case http.StatusRequestEntityTooLarge:
		return bodyTooLarge
	case http.StatusUnsupportedMediaType:
		return jsonOnly
	case http.StatusRequestTimeout:
		return requestTimeout
	}
	fields := make([]problem.Field, 0, len(errs))
	for _, err := range errs {
		detailer, ok := err.(huma.ErrorDetailer)
		if !ok {
			return malformedBody
		}
		field, ok := fieldOf(detailer.ErrorDetail())
		if !ok {
			return malformedBody
		}
		fields = append(fields, field)
	}
	if status >= http.StatusInternalServerError || len(fields) == 0 {
		return problem.Fault(nil)
	}
	return invalidInput.For(fields...)
}

var (
	requiredBefore, requiredAfter, _ = strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	tooShort, _, _                   = strings.Cut(validation.MsgExpectedMinLength, "%d")
	tooLong, _, _                    = strings.Cut(validation.MsgExpectedMaxLength, "%d")
	wrongTypes                       = map[string]bool{
		validation.MsgExpectedString: true, validation.MsgExpectedBoolean: true, validation.MsgExpectedNumber: true,
		validation.MsgExpectedInteger: true, validation.MsgExpectedArray: true, validation.MsgExpectedObject: true,
		validation.MsgUnexpectedProperty: true,
	}
)

// fieldOf reads one of Huma's findings; not ok means that the body as a whole
// is not what it should be. Locations are made of names of the schema, since
// unknown names were refused before; messages hold numbers of the schema.
func fieldOf(d *huma.ErrorDetail) (problem.Field, bool) {
	where, name, _ := strings.Cut(d.Location, ".")
	if name == "" && strings.HasPrefix(d.Message, requiredBefore) {
		return problem.Field{Name: missing(d.Message), Code: "required"}, true
	}
	if name == "" || where == "body" && wrongTypes[d.Message] {
		return problem.Field{}, false
	}
	switch {
	case strings.HasPrefix(d.Message, requiredBefore):
		return problem.Field{Name: name + "." + missing(d.Message), Code: "required"}, true
	case strings.HasPrefix(d.Message, "required "):
		return problem.Field{Name: name, Code: "required"}, true
	case strings.HasPrefix(d.Message, tooShort):
		return problem.Field{Name: name, Code: "too_short", Params: limit("min", d.Message[len(tooShort):])}, true
	case strings.HasPrefix(d.Message, tooLong):
		return problem.Field{Name: name, Code: "too_long", Params: limit("max", d.Message[len(tooLong):])}, true
	}
	return problem.Field{Name: name, Code: "invalid"}, true
}

func missing(message string) string {
	return strings.TrimSuffix(strings.TrimPrefix(message, requiredBefore), requiredAfter)
}

func limit(name, digits string) map[string]any {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return nil
	}
	return map[string]any{name: n}
}
