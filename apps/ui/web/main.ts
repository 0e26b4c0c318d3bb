import { h, render } from 'preact'
import { App } from './app.ts'

const root = document.getElementById('root')
if (root) render(h(App, null), root)
