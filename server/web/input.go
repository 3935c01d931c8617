package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/secondstep/secondstep/server/problem"
)

// input is what an operation takes, read from the type of its input: parameters of the path and the query, and a body.
//
// It is read strictly before it is read: encoding/json takes unknown, repeated and wrongly cased keys, and makes
// something of text that is no UTF-8.
type input struct {
	of         reflect.Type
	parameters []parameter
	query      map[string]bool // names of the parameters of the query
	bodyAt     []int           // where the field Body is
	body       *shape          // nil when the operation takes none
	schema     *huma.Schema    // of the body
	required   bool            // the body
}

// parameter is a field that comes from the path or the query.
type parameter struct {
	in, name string // "path" or "query"
	field    []int
	schema   *huma.Schema
	absent   string // what stands for one that is not there
}

// inputOf reads the input's type of an operation. It fails for what can't be read strictly.
func inputOf(of reflect.Type, schemas huma.Registry, operationID string) (input, error) {
	in := input{of: of, query: map[string]bool{}}
	for _, field := range reflect.VisibleFields(of) {
		p, is := parameterOf(field)
		switch {
		case is:
			if err := p.readable(field); err != nil {
				return input{}, err
			}
			p.schema = huma.SchemaFromField(schemas, field, "")
			in.parameters = append(in.parameters, p)
			in.query[p.name] = p.in == "query"
		case field.Name == "Body" && len(field.Index) == 1:
			in.bodyAt = field.Index
			in.required = field.Type.Kind() != reflect.Pointer
			in.schema = huma.SchemaFromField(schemas, field, hint(of, field.Name, operationID+"Request"))
			in.schema.PrecomputeMessages()
			var err error
			if in.body, err = shapeOf(schemas, in.schema, map[*huma.Schema]*shape{}); err != nil {
				return input{}, err
			}
		case !field.Anonymous:
			return input{}, fmt.Errorf("takes %s from neither path, query nor body", field.Name)
		}
	}
	return in, nil
}

// hint names the schema of a field whose type has no name.
func hint(of reflect.Type, field, otherwise string) string {
	if of.Name() == "" {
		return otherwise
	}
	return of.Name() + field
}

// describe tells of the input in an operation's description.
func (in *input) describe(op *huma.Operation) {
	for _, p := range in.parameters {
		described := &huma.Param{
			In: p.in, Name: p.name, Description: p.schema.Description, Required: p.in == "path", Schema: p.schema,
		}
		if p.in == "query" {
			described.Explode = new(bool) // no: one value
		}
		op.Parameters = append(op.Parameters, described)
	}
	if in.body != nil {
		op.RequestBody = &huma.RequestBody{
			Required: in.required, Content: map[string]*huma.MediaType{jsonType: {Schema: in.schema}},
		}
	}
}

func parameterOf(field reflect.StructField) (parameter, bool) {
	for _, in := range [...]string{"path", "query"} {
		if name := field.Tag.Get(in); name != "" {
			return parameter{in: in, name: name, field: field.Index, absent: field.Tag.Get("default")}, true
		}
	}
	return parameter{}, false
}

// read makes an operation's input of a request: a pointer to what the handler takes, or why not.
func (in *input) read(c *fiber.Ctx, schemas huma.Registry) (any, *problem.Problem) {
	if refusal := in.check(c.Context()); refusal != nil {
		return nil, refusal
	}
	into := reflect.New(in.of)
	if len(in.parameters) == 0 && in.body == nil {
		return into.Interface(), nil
	}
	var found huma.ValidateResult
	at := huma.NewPathBuffer(nil, 0)
	for _, p := range in.parameters {
		at.Reset()
		at.Push(p.in)
		at.Push(p.name)
		text := p.text(c)
		if text == "" {
			continue
		}
		value, err := set(into.Elem().FieldByIndex(p.field), text)
		if err != nil {
			found.Add(at, nil, err.Error())
			continue
		}
		huma.Validate(schemas, p.schema, at, huma.ModeWriteToServer, value, &found)
	}
	body := c.Context().PostBody()
	if in.body == nil || len(body) == 0 {
		return into.Interface(), refusalOf(found)
	}
	var plain any
	if err := json.Unmarshal(body, &plain); err != nil {
		return nil, malformedBody
	}
	at.Reset()
	at.Push("body")
	huma.Validate(schemas, in.schema, at, huma.ModeWriteToServer, plain, &found)
	if refusal := refusalOf(found); refusal != nil {
		return nil, refusal
	}
	if err := json.Unmarshal(body, into.Elem().FieldByIndex(in.bodyAt).Addr().Interface()); err != nil {
		return nil, malformedBody
	}
	return into.Interface(), nil
}

// text is what was sent, its own copy: Fiber uses its buffers again.
func (p parameter) text(c *fiber.Ctx) string {
	sent := c.Params(p.name)
	if p.in == "query" {
		sent = string(c.Context().QueryArgs().Peek(p.name))
	}
	if sent == "" {
		return p.absent
	}
	return sent
}

// readable says that set can read a parameter into the field.
func (p parameter) readable(field reflect.StructField) error {
	switch kind := field.Type.Kind(); {
	case kind == reflect.String, kind == reflect.Int, kind == reflect.Bool, field.Type == timeType:
		return nil
	}
	return fmt.Errorf("takes the %s parameter %s as %s", p.in, p.name, field.Type)
}

var timeType = reflect.TypeFor[time.Time]()

// set reads a parameter into its field, and answers it as the schema sees it.
func set(field reflect.Value, text string) (any, error) {
	switch {
	case field.Type() == timeType:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, errors.New("no time of RFC 3339")
		}
		field.Set(reflect.ValueOf(at))
	case field.Kind() == reflect.Int:
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errors.New("no whole number")
		}
		field.SetInt(number)
		return number, nil
	case field.Kind() == reflect.Bool:
		yes, err := strconv.ParseBool(text)
		if err != nil {
			return nil, errors.New("neither true nor false")
		}
		field.SetBool(yes)
		return yes, nil
	default:
		field.SetString(text)
	}
	return text, nil
}
