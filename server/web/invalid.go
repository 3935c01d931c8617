package web

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/secondstep/secondstep/server/problem"
)

// refusalOf is the refusal that stands for what Huma found; nil: it found nothing. Its findings hold the values that were sent, even a whole body;
// ours hold what the schema alone says.
func refusalOf(result huma.ValidateResult) *problem.Problem {
	found := result.Errors
	if len(found) == 0 {
		return nil
	}
	fields := make([]problem.Field, 0, len(found))
	for _, err := range found {
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
