/** Completion for bash, zsh and fish, made of the programs' own commands. */
export { addCompletion, completionScript, shells, type Shell } from './command.js';
export { treeOf, treeOfEverywhere, type Tree } from './tree.js';
