import { mount } from 'svelte';
import App from './App.svelte';
import './tokens.css';
import './base.css';
import { settle } from './locale';
import { theme } from './theme.svelte';

settle();
theme.apply();
const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
mount(App, { target });
