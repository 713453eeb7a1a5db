// The bundle of a page that uses aws-amplify's Data client and its subscriptions: as page.js, with the
// functions of data.js and of subscriptions.js.
import { call as callData } from './data.js';
import { call as callSubscriptions } from './subscriptions.js';

const ofData = ['graphql', 'model', 'related', 'query'];

const call = (name, ...args) => (ofData.includes(name) ? callData : callSubscriptions)(name, ...args);

const { config, options } = JSON.parse(document.getElementById('amplify-configuration').textContent);
call('configure', config, options).then(() => { window.amplify = { call }; });
