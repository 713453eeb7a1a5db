// Package console serves the sandbox's own pages. They show the users
// and groups of the user pool, the buckets of S3, the models of the GraphQL API, the calls that
// were answered, the outputs file, and an inbox with the messages that Cognito would have sent.
// Their forms do what an administrator does with users and groups, and query the API as anybody.
//
//	/console  /console/users  /console/users/{sub}  /console/groups  /console/group?name=…
//	/console/storage  /console/storage/{bucket}
//	/console/data  /console/data/{model}  /console/query
//	/console/calls  /console/faults  /console/outputs
//	/inbox
//
// The pages ask for no password. They must be reachable from this machine only: by a loopback
// address, and with the name of this machine as the Host. Other sites cannot submit their forms.
//
// Tests can read codes from the inbox. Each is the text of an element such as
//
//	<code data-to="ada@example.com" data-kind="sign-up" data-username="…">123456</code>
//
// The newest comes first. /inbox?to=ada@example.com shows the messages to one recipient.
package console
