export default function one(): number {
  return 1
}
