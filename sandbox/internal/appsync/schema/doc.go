// Package schema reads the data schema of an Amplify backend and says what AppSync makes of it:
// the models with their keys, relations and rules, the API that clients see, and who may do what.
//
// The annotated schema (@model, @auth, …) has all of that. [Read] fails at a directive or a rule
// that it does not know, with its line: a rule that is not enforced would open what AWS closes.
//
// The package holds no data and sends nothing. A [Schema] does not change once it is read, and is
// safe for concurrent use.
package schema
