package expr

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// Shop is what expressions can know of the shop, as the variable `shop`.
type Shop struct {
	Name     string `json:"name"`
	Platform string `json:"platform"`
	Currency string `json:"currency"`
	Timezone string `json:"timezone"` // IANA name
	URL      string `json:"url"`
}

// Language holds the types of the common model and the functions of expressions. Build it once and share it.
type Language struct {
	model   *model
	base    *cel.Env     // plans programs; each Env extends it by the types of its scope
	checker *checker.Env // checks types; likewise
	parser  *parser.Parser

	shop    *structType
	objects map[event.Object]eventObject
	attrs   *structType // the attributes of an event, in every scope
	// noEvent stands where a scope has an event and the values do not.
	noEvent *event.Event
}

// New builds the language.
func New() (*Language, error) {
	l := &Language{model: newModel(), noEvent: new(event.Event)}
	data := reflect.TypeFor[commerce.Data]()
	for i := range data.NumField() {
		if t := data.Field(i).Type; t.Kind() == reflect.Pointer {
			l.model.addStruct(t.Elem())
		}
	}
	l.shop = l.model.addStruct(reflect.TypeFor[Shop]())
	if err := l.model.err; err != nil {
		return nil, fmt.Errorf("building the expression language: %w", err)
	}
	l.addEvents()
	if err := l.build(); err != nil {
		return nil, fmt.Errorf("building the expression language: %w", err)
	}
	return l, nil
}

// build makes the one environment from which all others come: no program is planned without its limits.
func (l *Language) build() error {
	text, err := textFunctions()
	if err != nil {
		return err
	}
	opts := []cel.EnvOption{
		cel.FunctionDecls(standardFunctions()...),
		cel.Macros(cel.StandardMacros...),
		cel.OptionalTypes(),
		cel.RegexProgramSizeLimit(maxRegexp),
	}
	opts = append(opts, decimalFunctions()...)
	opts = append(opts, text...)
	// The optional types register themselves with CEL's registry, which ours replaces only afterwards.
	env, err := cel.NewCustomEnv(opts...)
	if err != nil {
		return err
	}
	if l.base, err = env.Extend(cel.CustomTypeProvider(l.model.registry), cel.CustomTypeAdapter(l.model)); err != nil {
		return err
	}
	if l.checker, err = checker.NewEnv(containers.DefaultContainer, l.model.registry); err != nil {
		return err
	}
	for _, fn := range l.base.Functions() {
		if err := l.checker.AddFunctions(fn); err != nil {
			return err
		}
	}
	l.parser, err = parser.NewParser(
		parser.EnablePrattParser(true), // the other one has no bound on the time that a wrong text takes
		parser.Macros(l.base.Macros()...),
		parser.PopulateMacroCalls(true), // so that findings show x.all(…) and not what it is made of
		parser.EnableOptionalSyntax(true),
		parser.MaxRecursionDepth(maxNesting),
		parser.MaxExpressionNodeCount(maxNodes),
		parser.ExpressionSizeCodePointLimit(maxSource),
		parser.ErrorRecoveryLimit(4),
	)
	return err
}

// programOptions are the options of every program.
func programOptions(dec *planner) []cel.ProgramOption {
	return []cel.ProgramOption{
		cel.EvalOptions(cel.OptOptimize),
		cel.CostTracking(meter{}),
		cel.CostLimit(costLimit),
		cel.InterruptCheckFrequency(interruptEvery),
		cel.CustomDecoratorV2(dec.decorate),
	}
}

// checkerFor returns the checker of a scope with the types of reg and these variables.
func (l *Language) checkerFor(reg *registry, vars []*decls.VariableDecl) (*checker.Env, error) {
	c, err := checker.NewEnv(containers.DefaultContainer, reg, checker.ValidatedDeclarations(l.checker))
	if err != nil {
		return nil, err
	}
	return c, c.AddIdents(vars...)
}

func variable(name string, t *types.Type) *decls.VariableDecl { return decls.NewVariable(name, t) }
