package introspection

import "github.com/amplify-go/amplify"

// Of returns the description in the configuration of app, which is read once.
func Of(app *amplify.App) (*Schema, error) {
	return amplify.Shared(app, func(app *amplify.App) (*Schema, error) {
		fault := &amplify.Error{
			Name: "AmplifyDataError", Reason: amplify.ReasonConfiguration,
			Message: "The configuration does not describe the models of the GraphQL API.",
			RecoverySuggestion: "Generate the outputs again (npx ampx generate outputs): they " +
				"hold the description under data.model_introspection.",
		}
		c := app.Config().Data
		if c == nil || len(c.ModelIntrospection) == 0 || string(c.ModelIntrospection) == "null" {
			return nil, fault
		}
		s, err := Parse(c.ModelIntrospection)
		if err != nil {
			fault.Message = "The configuration describes the models of the GraphQL API wrongly."
			fault.Err = err
			return nil, fault
		}
		return s, nil
	})
}
